"""A family of experiments a file: `run_ID(settings, seed, log)` gives one number for each arm of the lab ID."""
