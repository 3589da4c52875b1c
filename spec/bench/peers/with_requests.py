"""The benchmark's work with requests: a session, and a thread for each call in flight."""

import concurrent.futures
import threading

import common
import requests

job = common.Job()
local = threading.local()


def new_session():
    session = requests.Session()
    session.headers.update(job.headers)
    session.trust_env = False
    if job.ca_file:
        session.verify = job.ca_file
    return session


def call(_):
    if job.workload == "cold" or not hasattr(local, "session"):
        local.session = new_session()
    method = "POST" if job.body else "GET"
    answer = local.session.request(method, job.url, data=job.body)
    job.accept(answer.status_code, answer.content)


pool = concurrent.futures.ThreadPoolExecutor(job.in_flight) if job.in_flight > 1 else None


def run(calls):
    for _ in pool.map(call, range(calls)) if pool else map(call, range(calls)):
        pass


common.measure(job, "requests/" + requests.__version__, run)
