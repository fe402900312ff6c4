"""HOME, files, locks, processes, engines and the sandbox."""
