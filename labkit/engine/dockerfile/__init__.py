"""The Dockerfile language, and the instructions that commit and import take."""
