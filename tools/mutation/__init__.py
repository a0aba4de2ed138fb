"""Mutation testing of scenarios: is every command needed, and is every expected value looked at?"""
