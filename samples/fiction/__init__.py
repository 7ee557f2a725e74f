"""What the fictitious registry export is made of: people, a catalogue, careers, and planted faults."""
