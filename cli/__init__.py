"""The command line `reprise`."""
