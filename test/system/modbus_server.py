"""A Modbus server with two units. Number 1 has what an energy meter of the kind SDM120 has; what number 2 answers gets lost.
Says "ready" when it serves."""

import asyncio
import struct
import sys

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def floats(address, count, values):
    """Registers from an address on; values by their address, the others are 0."""
    registers = [0] * count
    for at, value in values.items():
        registers[at - address : at - address + 2] = struct.unpack(">HH", struct.pack(">f", value))
    return SimData(address, values=registers, datatype=DataType.REGISTERS)


METER = SimDevice(
    1,
    simdata=[
        floats(0, 32, {0: 230.1, 6: 1.25, 12: -287.5, 30: 0.98}),
        floats(70, 10, {70: 50.02, 72: 1234.5}),
        floats(342, 4, {342: 1234.5}),
    ],
)


SILENT = SimDevice(2, simdata=[SimData(0, count=10, datatype=DataType.REGISTERS)])


def without_silent(unit_at):
    """Lets nothing out that comes from the silent unit. The number of a unit stands at another place in each kind of frame."""

    def trace(is_sent, frame):
        return b"" if is_sent and frame[unit_at] == SILENT.id else frame

    return trace


async def main(kind, where):
    units = [METER, SILENT]
    if kind == "serial":
        server = ModbusSerialServer(units, port=where, baudrate=115200, trace_packet=without_silent(0))
    else:
        address = ("127.0.0.1", int(where))
        server = ModbusTcpServer(units, address=address, trace_packet=without_silent(6))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1], sys.argv[2]))
