"""awk: POSIX's language without its rarer corners (no getline from commands). Parsed into closures."""
