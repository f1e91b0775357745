"""Pages for people: a candidate explained, and the months of a backfill side by side.

Each page is one HTML file that needs no other: styles, pictures and words are in it, and nothing is
loaded from elsewhere. What is measured is measured in the rooms around; here it is laid out.
"""
