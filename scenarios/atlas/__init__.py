"""`make atlas`: how long may each dependency be away, from which step on, and in which way?"""
