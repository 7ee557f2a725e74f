PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('0001');
CREATE TABLE runs (
	run_id VARCHAR(40) NOT NULL, 
	command TEXT NOT NULL, 
	started_at VARCHAR(32) NOT NULL, 
	finished_at VARCHAR(32), 
	state VARCHAR(12) NOT NULL, 
	tool_version VARCHAR(40) NOT NULL, 
	rules_version VARCHAR(40) NOT NULL, 
	rules_sha256 VARCHAR(64) NOT NULL, 
	sources TEXT NOT NULL, 
	counts TEXT NOT NULL, 
	manifest TEXT, 
	manifest_sha256 VARCHAR(64), 
	PRIMARY KEY (run_id)
);
INSERT INTO runs VALUES('20261122T152348Z-ead076','issue B1','2026-11-22T15:23:48.102699+00:00','2026-11-22T15:23:50.497872+00:00','finished','0.1.0','2025-10-27','21620f497147eade67e8e35addff039f2792d3f328d5337a9be1686e3381bd38','[{"name":"people.csv","rows":2,"sha256":"039e50797db0e166e8e556a9d0bb2c0f291fe772a3f520f6a67e8598e6a0905e"},{"name":"accreditations.csv","rows":2,"sha256":"33bbffe6a2d472b2b5fd4206e8ecc0d100e1bcc0493012cb08b9c082f1bd6c96"}]','{"changed":0,"failed":0,"held":0,"issued":2,"lost":0,"problems":0,"recovered":0,"register_lines":14,"released":0}','{"manifests/20261122T152348Z-ead076.csv":"4674e33d0f9ac8dd9c36aa2c64e059d7f77123f1d9cd4c52f72204caadb98e21","manifests/20261122T152348Z-ead076.json":"88c43d027380fe52f475c1f1aa5c381b2e0c6e6535db8eaebdeafcc8adf5430f","manifests/20261122T152348Z-ead076.json.p7s":"b03a564f35584ac555a62d443911252c9dc6924c399a995f1bfbb60b13793200"}','88c43d027380fe52f475c1f1aa5c381b2e0c6e6535db8eaebdeafcc8adf5430f');
CREATE TABLE register (
	person_id VARCHAR(16) NOT NULL, 
	level VARCHAR(2) NOT NULL, 
	area INTEGER NOT NULL, 
	obtained_on VARCHAR(10) NOT NULL, 
	procedures TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	rules_version VARCHAR(40) NOT NULL, 
	run_id VARCHAR(40) NOT NULL, 
	PRIMARY KEY (person_id, level, area)
);
INSERT INTO register VALUES('10000000Z','B1',1,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',2,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',3,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',4,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',5,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',6,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000000Z','B1',0,'2025-03-12','["test"]','[]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',1,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',2,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',3,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',4,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',5,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',6,'2025-03-12','["test"]','["REF-1"]','2025-10-27','20261122T152348Z-ead076');
INSERT INTO register VALUES('10000001S','B1',0,'2025-03-12','["test"]','[]','2025-10-27','20261122T152348Z-ead076');
CREATE TABLE certificates (
	certificate_id VARCHAR(23) NOT NULL, 
	person_id VARCHAR(16) NOT NULL, 
	level VARCHAR(2) NOT NULL, 
	area INTEGER NOT NULL, 
	generation INTEGER NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	decision TEXT NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	rules_version VARCHAR(40) NOT NULL, 
	reserved_run VARCHAR(40) NOT NULL, 
	issued_run VARCHAR(40), 
	issued_on VARCHAR(10), 
	predecessor_id VARCHAR(23), 
	successor_id VARCHAR(23), 
	PRIMARY KEY (certificate_id)
);
INSERT INTO certificates VALUES('2QM4Y-CHX4J-3W1Y8-63WYP','10000000Z','B1',0,0,'issued','{"accredited_on":"2025-03-12","area":null,"areas":[{"area":1,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":2,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":3,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":4,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":5,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":6,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"}],"level":"B1","person":{"first_surname":"Fictícia","given_name":"Persona 0","person_id":"10000000Z","second_surname":""},"person_id":"10000000Z","procedures":["test"]}','ec0775da175b0f25755d7162b9b5333752cc94cd6845db9bdc6c533feb937896','2025-10-27','20261122T152348Z-ead076','20261122T152348Z-ead076','2026-11-22',NULL,NULL);
INSERT INTO certificates VALUES('JP9M5-8B5C4-3QYPA-6RGT5','10000001S','B1',0,0,'issued','{"accredited_on":"2025-03-12","area":null,"areas":[{"area":1,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":2,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":3,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":4,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":5,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"},{"area":6,"covered_on":"2025-03-12","evidence":["REF-1"],"procedure":"test"}],"level":"B1","person":{"first_surname":"Fictícia","given_name":"Persona 1","person_id":"10000001S","second_surname":""},"person_id":"10000001S","procedures":["test"]}','23a15e59da3fc6983506022c70e3af338260959f8a333e125cdc67d2cf6aeab1','2025-10-27','20261122T152348Z-ead076','20261122T152348Z-ead076','2026-11-22',NULL,NULL);
CREATE TABLE documents (
	path VARCHAR(200) NOT NULL, 
	certificate_id VARCHAR(23) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size INTEGER NOT NULL, 
	pages INTEGER NOT NULL, 
	languages VARCHAR(20) NOT NULL, 
	seal TEXT NOT NULL, 
	manifest_run VARCHAR(40), 
	PRIMARY KEY (path), 
	FOREIGN KEY(certificate_id) REFERENCES certificates (certificate_id)
);
INSERT INTO documents VALUES('2026/B1/2QM4Y-CHX4J-3W1Y8-63WYP.pdf','2QM4Y-CHX4J-3W1Y8-63WYP','6c9ccfce5a94f09a120b63ac6e1a4781fced21dc2ce3b413e16406d703b3f7c3',81235,2,'ca,es','{"certificate_sha256":"7a6530b82db57dedbb746d30cceb5b8331ef100f7e1426f82b94a767ce2d4215","digest_algorithm":"SHA-256","format":"PAdES","issuer":"CN=DEMO - Issuing CA (no legal value),O=DEMOSTRACIO - no value,C=ES","organization_identifier":"VATES-S0711001H","pades_level":"B-B","policy_oids":["2.16.724.1.3.5.6.2","0.4.0.194112.1.1"],"qualified_statements":["0.4.0.1862.1.1","0.4.0.1862.1.6.2"],"serial_number":"2150894619902481787462341943033557015581135966","serial_number_hex":"60730f2ff128be5d620bba60b51168b3eb945e","signature_algorithm":"RSA with SHA-256","signature_policy":"","signing_time":"2026-11-22T15:23:50Z","sub_filter":"ETSI.CAdES.detached","subject":"CN=DEMO - SEGELL ELECTRONIC DE PROVA (no legal value),organizationIdentifier=VATES-S0711001H,O=DEMOSTRACIO - no value,C=ES","time_stamp_at":null,"time_stamp_authority":"","valid_from":"2026-11-21T15:23:43Z","valid_until":"2029-11-21T15:23:43Z"}','20261122T152348Z-ead076');
INSERT INTO documents VALUES('2026/B1/JP9M5-8B5C4-3QYPA-6RGT5.pdf','JP9M5-8B5C4-3QYPA-6RGT5','eabf554aed326b4bff2c1977701c1c7b0dd43485d58286b1cc74e3c0d930f75a',81254,2,'ca,es','{"certificate_sha256":"7a6530b82db57dedbb746d30cceb5b8331ef100f7e1426f82b94a767ce2d4215","digest_algorithm":"SHA-256","format":"PAdES","issuer":"CN=DEMO - Issuing CA (no legal value),O=DEMOSTRACIO - no value,C=ES","organization_identifier":"VATES-S0711001H","pades_level":"B-B","policy_oids":["2.16.724.1.3.5.6.2","0.4.0.194112.1.1"],"qualified_statements":["0.4.0.1862.1.1","0.4.0.1862.1.6.2"],"serial_number":"2150894619902481787462341943033557015581135966","serial_number_hex":"60730f2ff128be5d620bba60b51168b3eb945e","signature_algorithm":"RSA with SHA-256","signature_policy":"","signing_time":"2026-11-22T15:23:50Z","sub_filter":"ETSI.CAdES.detached","subject":"CN=DEMO - SEGELL ELECTRONIC DE PROVA (no legal value),organizationIdentifier=VATES-S0711001H,O=DEMOSTRACIO - no value,C=ES","time_stamp_at":null,"time_stamp_authority":"","valid_from":"2026-11-21T15:23:43Z","valid_until":"2029-11-21T15:23:43Z"}','20261122T152348Z-ead076');
CREATE TABLE events (
	sequence INTEGER NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	run_id VARCHAR(40) NOT NULL, 
	kind VARCHAR(30) NOT NULL, 
	certificate_id VARCHAR(23), 
	payload TEXT NOT NULL, 
	previous_hash VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	PRIMARY KEY (sequence)
);
INSERT INTO events VALUES(1,'2026-11-22T15:23:48.102699+00:00','20261122T152348Z-ead076','run_started',NULL,'{"command":"issue B1","rules_sha256":"21620f497147eade67e8e35addff039f2792d3f328d5337a9be1686e3381bd38","sources":[{"name":"people.csv","rows":2,"sha256":"039e50797db0e166e8e556a9d0bb2c0f291fe772a3f520f6a67e8598e6a0905e"},{"name":"accreditations.csv","rows":2,"sha256":"33bbffe6a2d472b2b5fd4206e8ecc0d100e1bcc0493012cb08b9c082f1bd6c96"}]}','0000000000000000000000000000000000000000000000000000000000000000','cb912096fd10c66d1887e9825f39fc1fcc4811ff4f7891426603881da8180fe1');
INSERT INTO events VALUES(2,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":1,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','cb912096fd10c66d1887e9825f39fc1fcc4811ff4f7891426603881da8180fe1','4d481f5f3e8397445aa9252e3aa942f368770f5947eed1c8b8ec709bd8e8d02c');
INSERT INTO events VALUES(3,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":2,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','4d481f5f3e8397445aa9252e3aa942f368770f5947eed1c8b8ec709bd8e8d02c','96743611e1d10629a6b67b259a0e90cc30bc86bed52a411ac59235d3498b2b7f');
INSERT INTO events VALUES(4,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":3,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','96743611e1d10629a6b67b259a0e90cc30bc86bed52a411ac59235d3498b2b7f','642da8813464f51f790af1fddb7d26d7ca122eb0e8e0251f86cc2cb2dc04d439');
INSERT INTO events VALUES(5,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":4,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','642da8813464f51f790af1fddb7d26d7ca122eb0e8e0251f86cc2cb2dc04d439','81968fc6680b8b3e75ff34dfde62dbf44ff1b45e8a8c07f47b324ce0e5d51cdb');
INSERT INTO events VALUES(6,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":5,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','81968fc6680b8b3e75ff34dfde62dbf44ff1b45e8a8c07f47b324ce0e5d51cdb','16a3eb8654eca5e6383ec1ef18d678956f391a65301ad4f3e92dc4d5f8fd61d7');
INSERT INTO events VALUES(7,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":6,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','16a3eb8654eca5e6383ec1ef18d678956f391a65301ad4f3e92dc4d5f8fd61d7','d8b53f5a18d595e05ccbb6b42574dee1392eeca248bbd25191946cd0e0ccbd7f');
INSERT INTO events VALUES(8,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":0,"evidence":"[]","level":"B1","obtained_on":"2025-03-12","person_id":"10000000Z","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','d8b53f5a18d595e05ccbb6b42574dee1392eeca248bbd25191946cd0e0ccbd7f','2a0bd920d75b1034e6522f10ae35f951f15ffe4e98d1e1cc30911ff8036e0d74');
INSERT INTO events VALUES(9,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":1,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','2a0bd920d75b1034e6522f10ae35f951f15ffe4e98d1e1cc30911ff8036e0d74','2ffcf089e3980b3f24c4897dd8a93035ea9adcf9987406b6ad92bf33c1844568');
INSERT INTO events VALUES(10,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":2,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','2ffcf089e3980b3f24c4897dd8a93035ea9adcf9987406b6ad92bf33c1844568','ec09192f60e699dc838b264db04c3494509184587c33ed8200309dbd7c9f7113');
INSERT INTO events VALUES(11,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":3,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','ec09192f60e699dc838b264db04c3494509184587c33ed8200309dbd7c9f7113','b8393dc957676e94269fc75f7ea2410cb8d6dfc9b4433bd40f7ea9e26e7b5a6f');
INSERT INTO events VALUES(12,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":4,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','b8393dc957676e94269fc75f7ea2410cb8d6dfc9b4433bd40f7ea9e26e7b5a6f','58d710d66d7855292805ac7af11a23dfe16d643a9bbc13dbe357209a65d2763b');
INSERT INTO events VALUES(13,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":5,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','58d710d66d7855292805ac7af11a23dfe16d643a9bbc13dbe357209a65d2763b','7168c9d7f2d6565b79c461653e675341f22b4a0068930dafe901cc483826ccae');
INSERT INTO events VALUES(14,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":6,"evidence":"[\"REF-1\"]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','7168c9d7f2d6565b79c461653e675341f22b4a0068930dafe901cc483826ccae','8a9900b5ba87e55534f602a809addbfdf5ae0781d23b9aa5d9a7b0d14cb2deb6');
INSERT INTO events VALUES(15,'2026-11-22T15:23:49.119322+00:00','20261122T152348Z-ead076','register_entered',NULL,'{"area":0,"evidence":"[]","level":"B1","obtained_on":"2025-03-12","person_id":"10000001S","procedures":"[\"test\"]","rules_version":"2025-10-27","run_id":"20261122T152348Z-ead076"}','8a9900b5ba87e55534f602a809addbfdf5ae0781d23b9aa5d9a7b0d14cb2deb6','28dc34255a6c020af261f353eeff17f45f22299f5a48189d7a0bf299930ee8c7');
INSERT INTO events VALUES(16,'2026-11-22T15:23:49.133009+00:00','20261122T152348Z-ead076','reserved','2QM4Y-CHX4J-3W1Y8-63WYP','{"fingerprint":"ec0775da175b0f25755d7162b9b5333752cc94cd6845db9bdc6c533feb937896"}','28dc34255a6c020af261f353eeff17f45f22299f5a48189d7a0bf299930ee8c7','c1087722218ba7ced7b1869efe7ce719ce1caee4f0988deee1f56b77e30d0c54');
INSERT INTO events VALUES(17,'2026-11-22T15:23:49.133009+00:00','20261122T152348Z-ead076','reserved','JP9M5-8B5C4-3QYPA-6RGT5','{"fingerprint":"23a15e59da3fc6983506022c70e3af338260959f8a333e125cdc67d2cf6aeab1"}','c1087722218ba7ced7b1869efe7ce719ce1caee4f0988deee1f56b77e30d0c54','c4ccaa46fc6b8f679064324cc2d18b353ed9eb505dac8c092e52168be6f63b71');
INSERT INTO events VALUES(18,'2026-11-22T15:23:50.210861+00:00','20261122T152348Z-ead076','sealed','2QM4Y-CHX4J-3W1Y8-63WYP','{"path":"2026/B1/2QM4Y-CHX4J-3W1Y8-63WYP.pdf","sha256":"6c9ccfce5a94f09a120b63ac6e1a4781fced21dc2ce3b413e16406d703b3f7c3"}','c4ccaa46fc6b8f679064324cc2d18b353ed9eb505dac8c092e52168be6f63b71','02193639be07ca685244be25520319a4742c758945244a4106f80bd6b697843e');
INSERT INTO events VALUES(19,'2026-11-22T15:23:50.210861+00:00','20261122T152348Z-ead076','sealed','JP9M5-8B5C4-3QYPA-6RGT5','{"path":"2026/B1/JP9M5-8B5C4-3QYPA-6RGT5.pdf","sha256":"eabf554aed326b4bff2c1977701c1c7b0dd43485d58286b1cc74e3c0d930f75a"}','02193639be07ca685244be25520319a4742c758945244a4106f80bd6b697843e','732b6f7ad6f44977cf9bd69db28cfedd481442c555f71993f61dfdac7c8b350a');
INSERT INTO events VALUES(20,'2026-11-22T15:23:50.250849+00:00','20261122T152348Z-ead076','issued','2QM4Y-CHX4J-3W1Y8-63WYP','{}','732b6f7ad6f44977cf9bd69db28cfedd481442c555f71993f61dfdac7c8b350a','d0e5c0c1e2957b550aa8f217571034f986b67729aa8dcc04af1c987657dd7845');
INSERT INTO events VALUES(21,'2026-11-22T15:23:50.250849+00:00','20261122T152348Z-ead076','issued','JP9M5-8B5C4-3QYPA-6RGT5','{}','d0e5c0c1e2957b550aa8f217571034f986b67729aa8dcc04af1c987657dd7845','a699283ef5804f6b259c750f7a297b508a82f7925f54875d4e656394d93d7693');
INSERT INTO events VALUES(22,'2026-11-22T15:23:50.439906+00:00','20261122T152348Z-ead076','manifest_announced',NULL,'{"documents":2,"files":{"manifests/20261122T152348Z-ead076.csv":"4674e33d0f9ac8dd9c36aa2c64e059d7f77123f1d9cd4c52f72204caadb98e21","manifests/20261122T152348Z-ead076.json":"88c43d027380fe52f475c1f1aa5c381b2e0c6e6535db8eaebdeafcc8adf5430f","manifests/20261122T152348Z-ead076.json.p7s":"b03a564f35584ac555a62d443911252c9dc6924c399a995f1bfbb60b13793200"}}','a699283ef5804f6b259c750f7a297b508a82f7925f54875d4e656394d93d7693','c711dfce4b74d90759848607eaab947111eb0a82b8ecbdac819b24b5d778e917');
INSERT INTO events VALUES(23,'2026-11-22T15:23:50.488865+00:00','20261122T152348Z-ead076','manifest_written',NULL,'{"sha256":"88c43d027380fe52f475c1f1aa5c381b2e0c6e6535db8eaebdeafcc8adf5430f"}','c711dfce4b74d90759848607eaab947111eb0a82b8ecbdac819b24b5d778e917','b4f184b20f01dbfc13a0c753d7350215a141df1f8f10fd44b01ef7a40a20f639');
INSERT INTO events VALUES(24,'2026-11-22T15:23:50.497872+00:00','20261122T152348Z-ead076','run_ended',NULL,'{"counts":{"changed":0,"failed":0,"held":0,"issued":2,"lost":0,"problems":0,"recovered":0,"register_lines":14,"released":0},"state":"finished"}','b4f184b20f01dbfc13a0c753d7350215a141df1f8f10fd44b01ef7a40a20f639','d61bca0c9cd7786873bbb8c7cd1d16a3c90e8b112f02cc2bbf714625a452407a');
CREATE UNIQUE INDEX one_certificate_each ON certificates (person_id, level, area, generation) WHERE state <> 'released';
CREATE UNIQUE INDEX one_issued_certificate_each ON certificates (person_id, level, area) WHERE state = 'issued';
CREATE INDEX certificates_by_state ON certificates (state);
CREATE INDEX ix_documents_certificate_id ON documents (certificate_id);
CREATE INDEX ix_documents_manifest_run ON documents (manifest_run);
COMMIT;
