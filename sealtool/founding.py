"""Making a new working folder: configuration, ledger, output folder and, for a demonstration, a test PKI."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from sealtool.demo import DemoPki, create_demo_pki
from sealtool.errors import ConfigurationError, OutputError
from sealtool.ledger import create_ledger
from sealtool.publishing import OutputFolder, make_folder
from sealtool.settings import CONFIG_NAME, load_settings

_REAL = {
    "seal": """# pkcs12 = "seal.p12"
# The passphrase comes from one of: env, file, credential (systemd), prompt.
# passphrase = { credential = "sealtool-passphrase" }
# Or, instead of pkcs12, a key on a token (the passphrase is its PIN):
# pkcs11 = { module = "/usr/lib/softhsm/libsofthsm2.so", token = "seal", key = "seal" }
""",
    "time_stamp": """# urls = ["https://tsa.example/"]      # in order of preference
timeout_seconds = 10
""",
    "revocation": """# crls = ["crl/*.crl"]
fetch = true                          # ask the addresses that the certificates name
""",
    "trust": """# anchors = ["trust"]
# organizations = ["VATES-S0711001H"]
""",
    "rendering": """# templates = "templates"            # a folder of your own; what it lacks comes from sealtool
""",
    "expected_verdict": "valid",
}


def found_workspace(
    folder: Path, *, demo: bool, now: datetime, make_pki: Callable[..., DemoPki] = create_demo_pki
) -> Path:
    """Makes a folder ready to work in; returns the path of its configuration, which is written last.

    Args:
        folder: may be there already.
        demo: with a throw-away test PKI, ready to seal.
        now: start of validity of that PKI, aware.
        make_pki: makes it, as :func:`~sealtool.demo.create_demo_pki` does, perhaps with other keys.

    Raises:
        ConfigurationError: the folder has a configuration already.
        LedgerError: it has a ledger already.
        OutputError: it cannot be written.
    """
    configuration = folder / CONFIG_NAME
    if os.path.lexists(configuration):
        raise ConfigurationError(
            f"{folder} already has a configuration, {CONFIG_NAME}. Its ledger may know of issued certificates, so "
            "nothing was touched.",
            advice="Choose another folder, or go on working with this one.",
        )
    try:
        make_folder(folder)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror or error}.", advice="Choose another place."
        ) from error
    values = _demonstration(make_pki(folder, now=now)) if demo else _REAL
    create_ledger(f"sqlite:///{folder / 'ledger.sqlite'}").close()
    OutputFolder(folder / "out").prepare()
    text = Template(files("sealtool").joinpath("starter.toml").read_text(encoding="utf-8")).substitute(values)
    descriptor = os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    load_settings(configuration)
    return configuration


def _demonstration(pki: DemoPki) -> dict[str, str]:
    return {
        "seal": f"""# A throw-away seal: worth nothing, and good only to try everything out.
pkcs12 = "{pki.seal_pkcs12}"
passphrase = {{ file = "{pki.seal_passphrase_file}" }}
""",
        "time_stamp": f"""# A time stamp authority that lives inside sealtool, for demonstrations only.
demo_pkcs12 = "{pki.tsa_pkcs12}"
demo_passphrase = {{ file = "{pki.tsa_passphrase_file}" }}
""",
        "revocation": f"""crls = ["{pki.crl_files}"]
fetch = false
""",
        "trust": f"""anchors = ["{pki.trust_anchor}"]
organizations = ["VATES-S0711001H"]
""",
        "rendering": """marking = "DEMOSTRACIÓ · DEMOSTRACIÓN"    # on each page: it is worth nothing
""",
        "expected_verdict": "not supported (a demonstration certificate)",
    }
