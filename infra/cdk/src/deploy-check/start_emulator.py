"""Starts the emulator, with sequence numbers of the form that Kinesis has, and with alarms over several metrics.

The emulator begins sequence numbers with zeros. The API reference admits no leading zero ("0|([1-9]\\d{0,128})",
PutRecord, read 2026-11), so the deployed code would refuse them, as it should.

It refuses alarms over an expression, and with them the whole stack. They are made here without their expression: the
emulator evaluates no alarm anyway.
"""

import ministack.services.cloudformation.provisioners as provisioners
import ministack.services.kinesis as kinesis
from ministack.app import main

DIGITS = 56
PERIOD_SECONDS = 60
next_number = kinesis._next_sequence_number
alarm_record = provisioners._cw_metric_alarm_record


def next_aws_number():
    return "49" + next_number().rjust(DIGITS - 2, "0")


def alarm_without_expression(name, props):
    if props.get("Metrics"):
        stated = {key: value for key, value in props.items() if key != "Metrics"}
        props = {**stated, "MetricName": "expression", "Namespace": "expression", "Period": PERIOD_SECONDS}
    return alarm_record(name, props)


kinesis._next_sequence_number = next_aws_number
provisioners._cw_metric_alarm_record = alarm_without_expression
main()
