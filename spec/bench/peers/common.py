"""What the Python clients of the benchmark share: see common.lua, which this follows."""

import json
import sys
import time

API = "/api/v2.1/rest"
HEADERS = {
    "Accept": "application/json",
    "QISCUS-SDK-APP-ID": "bench",
    "QISCUS-SDK-SECRET": "secret",
}


class Job:
    """The job that the command line asks for."""

    def __init__(self):
        self.workload, self.base_url, calls, in_flight, self.ca_file = sys.argv[1:6]
        self.calls, self.in_flight = int(calls), int(in_flight)
        if self.ca_file == "system":
            self.ca_file = None
        self.body, self.size = None, None
        self.url = self.base_url + API + "/user_profile?user_id=bob"
        self.headers = dict(HEADERS)
        if self.workload.startswith("list-"):
            self.size = int(self.workload[5:])
            self.url = self.base_url + API + "/get_user_list?limit=%d" % self.size
        elif self.workload == "post":
            self.url = self.base_url + API + "/login_or_register"
            self.body = '{"user_id":"bob","username":"Bob"}'
            self.headers["Content-Type"] = "application/json"

    def accept(self, status, body):
        """Raises unless that is the right answer."""
        if status != 200:
            raise ValueError("status %s" % status)
        results = json.loads(body)["results"]
        if self.size is None:
            right = results["user"]["user_id"] == "bob"
        else:
            users = results["users"]
            right = len(users) == self.size
            right = right and users[-1]["user_id"] == "user-%06d" % self.size
        if not right:
            raise ValueError("not the answer that was asked for")


def peak():
    """Peak resident memory in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def measure(job, version, run):
    """Makes the calls, after some that only open the connections, and prints what they took."""
    if job.workload != "cold":
        run(job.in_flight)
    wall, cpu = time.monotonic(), time.process_time()
    run(job.calls)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "rss": peak(), "calls": job.calls,
                      "version": version}))
