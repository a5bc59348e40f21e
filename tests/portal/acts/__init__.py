"""Tests of acts that need two persons."""
