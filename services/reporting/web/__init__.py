"""The board's pages: server-rendered, no script, no request to anybody else.

They show closed publications and nothing live.
"""
