# gunicorn instead of granian: gunicorn -c gunicorn.conf.py consent_track.wsgi:app
#
# At any level below critical gunicorn writes the client's address, and the path with its token, of every request it
# finds malformed or that fails: a second store of what the collector declines to keep (GDPR Art. 5(1)(c); AH-04).

bind = "127.0.0.1:8000"
workers = 2
threads = 8
accesslog = None
loglevel = "critical"
limit_request_line = 8190  # a link carries its destination, sealed: up to 2,850 characters
