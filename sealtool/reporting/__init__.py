"""What was found, for people and for other programs to read: values in, files out. Decides nothing."""
