"""The glossary: one word for one thing, and the law's word where it has one.

Controller    who decides why and how people are measured (GDPR Art. 4(7)); a small number in tokens, keys and tables.
Subject       one person in the eyes of one controller: (controller, address). Elsewhere only a random reference.
Purpose       what a measurement is for (GDPR Art. 5(1)(b)); the unit of consent. See `vocabulary.Purpose`.
Consent       a choice of a subject for a purpose, with its evidence (GDPR Art. 4(11), 7(1)). See `consent`.
Policy        what one jurisdiction asks, tightened by the house policy of the operator. See `policy`.
Decision      Allowed, Minimal or Declined, with a reason. One function gives all of them. See `decision`.
Message       one mail prepared for one recipient; its reference stands in every token of that mail.
Token         the only thing of ours in a URL: sealed, signed, one power each. See `observation.TokenFacts`.
Hit           one request for a pixel or a tracked link. An Observation is what is left of it once it may be kept.
Frame         the bytes of an observation in the spool, before the database has it. See `frame`.
Engagement    whether a hit was made by a person, a proxy, a prefetch or a scanner, and why we think so. `engagement`.
Holding       why a table exists, whose it is, how long it stays, what erasure does to it (GDPR Art. 30). `retention`.
Disclosure    what a mail says about its own measuring (GDPR Art. 13, Garante 284/2026). See `disclosure`.

Instants are whole seconds since the epoch, UTC. Days are `datetime.date`, UTC unless said otherwise.
"""
