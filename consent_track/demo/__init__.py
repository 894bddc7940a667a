"""The demo: three people, real mails, the real service on a local port, and a page that shows what is recorded."""
