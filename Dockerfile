# The site as an image: docker build -t latchkey .
#
# To pin the base by its content, replace the tag by a digest, which
# `docker buildx imagetools inspect python:3.13-slim-trixie` prints:
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:… -t latchkey .
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /srv/latchkey
COPY requirements.txt ./
# The environment has no pip of its own: nothing is installed in a running container.
RUN ["python", "-m", "venv", "--without-pip", "/srv/venv"]
RUN ["pip", "--python", "/srv/venv/bin/python", "install", "--no-cache-dir", \
     "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes", "-r", "requirements.txt"]
COPY manage.py ./
COPY accounts accounts
COPY config config
COPY tokens tokens
# These secrets exist for this command only. Nothing is signed or encrypted with them.
RUN random() { python -c 'import secrets; print(secrets.token_urlsafe(48))'; } && \
    SECRET_KEY=$(random) TOKEN_SECRET=$(random) \
    /srv/venv/bin/python manage.py collectstatic --noinput --verbosity 0
RUN ["/srv/venv/bin/python", "-m", "compileall", "-q", "accounts", "config", "tokens"]

FROM ${PYTHON_IMAGE}
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BIND=0.0.0.0:8000
RUN ["useradd", "--system", "--uid", "10001", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "latchkey"]
# The files belong to root, so the site cannot change its own code.
COPY --from=build /srv /srv
WORKDIR /srv/latchkey
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "config.health_check"]
CMD ["python", "-m", "config.serve"]
