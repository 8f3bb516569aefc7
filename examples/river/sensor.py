"""A kitchen in fast motion: 100 readings a second, and after six seconds someone leaves the oven open for half a second."""

import json
import math
import random
import sys
import time

import paho.mqtt.client as mqtt

READINGS = 900
TOO_WARM = range(600, 650)

host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:1883").rpartition(":")
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect(host, int(port))
client.loop_start()
noise = random.Random(1)
for number in range(READINGS):
    temperature = 21 + 3 * math.sin(number / 30) + noise.gauss(0, 0.2) + (8 if number in TOO_WARM else 0)
    sent = client.publish("sensors/kitchen", json.dumps({"temperature": round(temperature, 2)}), qos=1)
    time.sleep(0.01)
sent.wait_for_publish(timeout=5)
client.disconnect()
