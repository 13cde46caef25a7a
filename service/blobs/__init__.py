"""Blobs: sealed bytes under opaque ids. Nothing here can open them, and nothing here knows what they are.

`store` is the protocol; `local` keeps blobs in a folder, `s3` in a bucket, and `buckets` looks whether a bucket is safe
to use. Whoever can read the store sees sizes and times; whoever can write it can withhold a blob or put another in its
place, which the seal then refuses; nobody there can read one.
"""
