"""An act: authenticate, decide, change, record, all in one transaction; the shape of every use case.

Rules kept here:

* whoever asks is looked up, and the policy is asked, in the very transaction that changes and records;
* a refusal is recorded, and so is an allowed act that could not be done; both leave no other trace;
* a caller without a valid credential has no firm: nothing is written for him here (see `service.httpdeps`);
* sealing inside a job uses keys that are open already; a key that is not makes the job step back, the key is opened
  outside of the transaction, and the job runs again (a KMS call must never hold the log's head).

It does not know what the acts are: that is the use cases, one module a noun.
"""

from service.acts.act import Act, Caller, etag, seal_payload, who
from service.acts.newkeys import KeyWantedError, NewKeys, keyed
from service.acts.performing import Done, Find, decided, perform, submit

__all__ = [
    "Act",
    "Caller",
    "Done",
    "Find",
    "KeyWantedError",
    "NewKeys",
    "decided",
    "etag",
    "keyed",
    "perform",
    "seal_payload",
    "submit",
    "who",
]
