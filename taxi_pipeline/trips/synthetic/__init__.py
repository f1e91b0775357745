"""A synthetic city: files of trip records like those TLC publishes, made without a network.

A deterministic simulator for the demo, the tests and the benchmarks. The city (where its zones
lie, how popular and how fast they are) follows from the seed alone, so that what a model learns
from one month holds in the next; the trips follow from the seed, the taxi, the month and the
number of rows. The records have the published columns, types, order and compression, and the
published kinds of dirt at about the published shares.

Figures called *measured* are those of the files that TLC published for green taxis of January
2021, rounded. Distances are in miles, speeds in miles an hour and amounts in dollars, as in the
published files; a time is in whole seconds since 1970 in New York's local time.

The rest of the package does not know that a city is synthetic: it reads these files as it reads
those of TLC.
"""
