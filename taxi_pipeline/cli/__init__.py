"""What a person types after ``taxi-pipeline``: one command a file, and the one that has all.

A command reads its options, calls the rooms below and prints. ``run`` hands over to Luigi's own.
"""
