"""Tells other accounts and feeds whom we list, and takes in what other accounts say."""
