"""The docker command line: parse (flags, mountflags, reference), call (commands), print (template, table, units)."""
