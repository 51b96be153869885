"""Load by simulated traffic: a script for each service; `make load` runs them."""
