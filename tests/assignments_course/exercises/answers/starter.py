"""Nothing is run: write predictions.csv however you like."""
