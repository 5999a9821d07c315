"""Starts the emulator, with sequence numbers of the form that Kinesis has.

The emulator begins them with zeros. The API reference admits no leading zero ("0|([1-9]\\d{0,128})", PutRecord, read
2026-11), so the deployed code would refuse them, as it should.
"""

import ministack.services.kinesis as kinesis
from ministack.app import main

DIGITS = 56
next_number = kinesis._next_sequence_number


def next_aws_number():
    return "49" + next_number().rjust(DIGITS - 2, "0")


kinesis._next_sequence_number = next_aws_number
main()
