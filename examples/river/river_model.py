"""Runs an online model of River beside the gateway: readings come from its MQTT port, verdicts go back to it.

The model is half-space trees (Tan, Ting and Liu 2011, "Fast anomaly detection for streaming data"), one for each series, which
learns from every reading that it finds normal. A verdict is published when a series begins to be anomalous, and when it is
normal again; the gateway makes alerts of them.
"""

import argparse
import json
import os
import signal
import time

import paho.mqtt.client as mqtt
from river import anomaly, preprocessing

# A reading alarms from this score on. On a steady series scores stay below 0.9, and far outside of what was seen they are above 0.97.
THRESHOLD = 0.95
# So many readings in a row change the verdict: neither one odd reading nor one good one does.
READINGS_TO_CHANGE = 3
# What has been anomalous for so many readings is the new normal: the model begins anew.
READINGS_TO_GIVE_IN = 1000
# Members of a payload that say when, not what.
TIME_NAMES = {"t", "ts", "time", "timestamp", "datetime", "date"}


class SeriesModel:
    """The model of one series, and whether the series is anomalous now."""

    def __init__(self):
        self.is_anomalous = False
        self._begin()

    def _begin(self):
        # Beyond the smallest and the largest value seen, which are 0 and 1, the trees need room, or all that is too high would look as the highest.
        self._scaler = preprocessing.MinMaxScaler()
        self._trees = anomaly.HalfSpaceTrees(n_trees=25, height=6, window_size=250, limits={"value": (-1, 2)}, seed=1)
        self._normal = None
        self._against = 0
        self._anomalous = 0

    def observe(self, value):
        """Takes in a reading. If it changes the verdict: what to say of it; else None."""
        reading = {"value": value}
        score = self._trees.score_one(self._scaler.transform_one(reading))
        looks_anomalous = score >= THRESHOLD
        expected = self._expected()
        if not looks_anomalous:
            # What is anomalous is not learned: it would soon be normal.
            self._scaler.learn_one(reading)
            self._trees.learn_one(self._scaler.transform_one(reading))
            self._normal = value
        self._anomalous = self._anomalous + 1 if looks_anomalous else 0
        self._against = self._against + 1 if looks_anomalous != self.is_anomalous else 0
        if self._anomalous == READINGS_TO_GIVE_IN:
            self._begin()
            self.is_anomalous = False
        elif self._against == READINGS_TO_CHANGE:
            self.is_anomalous = looks_anomalous
            self._against = 0
        else:
            return None
        return {"isAnomalous": self.is_anomalous, "score": round(score, 4), "value": value, "expected": expected}

    def _expected(self):
        if self._normal is None:
            return None
        low, high = (extreme["value"].get() for extreme in (self._scaler.min, self._scaler.max))
        return {"value": self._normal, "low": low, "high": high}


def numbers_in(payload):
    """The numbers of a payload by their paths, named as the gateway names them: a plain number, or those in JSON."""
    try:
        content = json.loads(payload)
    except ValueError:
        return {}
    found = {}

    def visit(node, path):
        if isinstance(node, bool):
            return
        if isinstance(node, (int, float)):
            found[".".join(path)] = float(node)
        elif isinstance(node, (dict, list)):
            for name, child in node.items() if isinstance(node, dict) else enumerate(node):
                if str(name).lower() not in TIME_NAMES:
                    visit(child, [*path, str(name)])

    visit(content, [])
    return found


class Models:
    """All series that were seen, and the connection by which their verdicts go out."""

    def __init__(self, client, name, log_topic):
        self._client = client
        self._name = name
        self._log_topic = log_topic
        self._models = {}

    def observe(self, topic, payload):
        for path, value in numbers_in(payload).items():
            series = ":".join(part for part in (self._log_topic, topic, path) if part != "")
            verdict = self._models.setdefault(series, SeriesModel()).observe(value)
            if verdict is not None:
                self._publish(series, verdict)

    def end(self):
        """Ends what is anomalous: nobody would once the models are gone."""
        sent = [self._publish(series, {"isAnomalous": False}) for series, model in self._models.items() if model.is_anomalous]
        for message in sent:
            message.wait_for_publish(timeout=5)

    def _publish(self, series, verdict):
        words = ["half-space trees: a rarely visited region"] if verdict["isAnomalous"] else []
        message = {"model": self._name, "series": series, "time": int(time.time() * 1000), "words": words, **verdict}
        print(json.dumps(message), flush=True)
        return self._client.publish(f"models/{self._name}/verdicts", json.dumps(message), qos=1)


def main():
    parser = argparse.ArgumentParser(description="An online model of River beside the gateway.")
    parser.add_argument("--mqtt", default="127.0.0.1:1883", metavar="HOST:PORT", help="the gateway's MQTT listener")
    parser.add_argument("--match", default="sensors/#", help="the MQTT topics to look at; not those of the verdicts")
    parser.add_argument("--log-topic", default="readings", help="the topic of the log that these messages go to")
    parser.add_argument("--model", default="river-hst", help="the name of the model")
    parser.add_argument("--user", help="its password is taken from the variable MQTT_PASSWORD")
    options = parser.parse_args()
    host, _, port = options.mqtt.rpartition(":")

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=options.model)
    models = Models(client, options.model, options.log_topic)

    def on_connect(_client, _data, _flags, reason, _properties):
        print(f"connected: {reason}", flush=True)
        client.subscribe(options.match, qos=1)

    client.on_connect = on_connect
    client.on_message = lambda _client, _data, message: models.observe(message.topic, message.payload)
    if options.user is not None:
        client.username_pw_set(options.user, os.environ["MQTT_PASSWORD"])
    client.connect(host, int(port))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        client.loop_forever()
    except KeyboardInterrupt:
        client.unsubscribe(options.match)
        client.loop_start()
        models.end()
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    main()
