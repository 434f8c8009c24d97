"""E-mail addresses are confirmed by a token that was mailed to them.

An address counts once its owner has shown to read its mails. Until then the account can be used,
but nothing else is mailed there. A new address waits in `pending_email`, and the old one stays
until the new one is confirmed.

The token is made when its mail leaves, as for a new password (`users.passwords.resets`): it is in
the mail and nowhere else. It holds once, for a day, for the address it was sent to. A user has one
at a time, and it ends when the e-mail address, the password or the role changes.
"""
