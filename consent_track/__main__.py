"""`python -m consent_track` is the command `consent-track`."""

from consent_track.cli import main

main(prog_name="consent-track")
