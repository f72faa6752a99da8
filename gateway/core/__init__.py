"""What decides: pure functions over frozen values, in the order in which a request passes them.

request → operation (what) → identity (who) → geography (where) → screening (listed?) → facts →
policy (judge) → decision. Nothing here touches a socket, a file, a clock or the environment.
"""
