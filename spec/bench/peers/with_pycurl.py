"""The benchmark's work with pycurl and json: easy handles that are kept, through a multi handle
where several calls are in flight."""

import io

import common
import pycurl

job = common.Job()


def new_easy():
    easy = pycurl.Curl()
    easy.setopt(pycurl.URL, job.url)
    easy.setopt(pycurl.HTTPHEADER, ["%s: %s" % pair for pair in job.headers.items()])
    easy.setopt(pycurl.NOSIGNAL, 1)
    if job.ca_file:
        easy.setopt(pycurl.CAINFO, job.ca_file)
    if job.body:
        easy.setopt(pycurl.POSTFIELDS, job.body)
    if job.workload == "streams":
        easy.setopt(pycurl.PIPEWAIT, 1)
    return easy


def start(easy):
    easy.answer = io.BytesIO()
    easy.setopt(pycurl.WRITEDATA, easy.answer)


def accept(easy):
    job.accept(easy.getinfo(pycurl.RESPONSE_CODE), easy.answer.getvalue())


kept = []


def one_by_one(calls):
    for _ in range(calls):
        easy = kept[0] if kept else new_easy()
        if job.workload != "cold" and not kept:
            kept.append(easy)
        start(easy)
        easy.perform()
        accept(easy)


multi = pycurl.CurlMulti()
multi.setopt(pycurl.M_MAXCONNECTS, job.in_flight)


def many(calls):
    while len(kept) < min(calls, job.in_flight):
        kept.append(new_easy())
    running = kept[:min(calls, job.in_flight)]
    started, done = len(running), 0
    for easy in running:
        start(easy)
        multi.add_handle(easy)
    while done < calls:
        while multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        left = 1
        while left:
            left, ended, failed = multi.info_read()
            if failed:
                raise RuntimeError(failed[0][2])
            for easy in ended:
                multi.remove_handle(easy)
                accept(easy)
                done += 1
                if started < calls:
                    started += 1
                    start(easy)
                    multi.add_handle(easy)
        if done < calls:
            multi.select(1.0)


common.measure(job, pycurl.version.split()[0] + " " + pycurl.version.split()[1],
               many if job.in_flight > 1 else one_by_one)
