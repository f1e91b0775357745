"""What a person types after ``python -m taxi_pipeline``: one command a file, and their parser.

A command reads its options, calls the rooms below and prints. Tasks are run by Luigi's own command.
"""
