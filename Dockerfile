# Three images from one file: `--target production` is gateway and worker, `--target fakes` the simulated services,
# `--target load` the load generator.
# The versions of what is inside are those of requirements/, checked by their hashes.

FROM python:3.12-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH
WORKDIR /srv


FROM base AS build
# Wheels alone: an image that needed a compiler to build could bring its traces along.
# A library's own tests are of no use at run time, and bytecode is made here because the root is read-only later.
ARG TRIM="find /opt/venv -type d ( -name tests -o -name test ) -path */site-packages/* -prune -exec rm -rf {} +"
RUN python -m venv --without-pip /opt/venv
COPY deploy/probe.py /usr/local/bin/probe
COPY requirements/app.txt requirements/


FROM build AS build-production
# The cache is a mount, no part of the image.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/var/cache/pip \
    PIP_CACHE_DIR=/var/cache/pip pip --python /opt/venv/bin/python install --quiet --no-compile --require-hashes --only-binary :all: -r requirements/app.txt \
    && $TRIM
COPY app app
RUN python -m compileall -q -j 0 /opt/venv/lib app


FROM build AS build-fakes
COPY requirements/fakes.txt requirements/
# The cache is a mount, no part of the image.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/var/cache/pip \
    PIP_CACHE_DIR=/var/cache/pip pip --python /opt/venv/bin/python install --quiet --no-compile --require-hashes --only-binary :all: -r requirements/fakes.txt \
    && $TRIM
COPY fakes fakes
RUN python -m compileall -q -j 0 /opt/venv/lib fakes


FROM build AS build-load
COPY requirements/load.txt requirements/
# The cache is a mount, no part of the image.
# hadolint ignore=DL3042
RUN --mount=type=cache,target=/var/cache/pip \
    PIP_CACHE_DIR=/var/cache/pip pip --python /opt/venv/bin/python install --quiet --no-compile --require-hashes --only-binary :all: -r requirements/load.txt \
    && $TRIM \
    && mkdir -p out .run && chown 10001:10001 out .run
COPY app app
COPY fakes fakes
COPY scenarios scenarios
COPY loadtests loadtests
RUN python -m compileall -q -j 0 /opt/venv/lib app fakes scenarios loadtests


FROM base AS runtime
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM


FROM runtime AS fakes
COPY --from=build-fakes /opt/venv /opt/venv
COPY --from=build-fakes /usr/local/bin/probe /usr/local/bin/probe
COPY --from=build-fakes /srv/fakes fakes
# What the kit needs of the harness: the names of headers.
COPY scenarios/__init__.py scenarios/headers.py scenarios/
# The contract that `python -m fakes.gateway` keeps.
COPY docs/openapi.json docs/
# Which fake it is, is said by the command: python -m fakes.sam3 --host 0.0.0.0 --port 8007
CMD ["python", "-m", "fakes.image_manipulator", "--host", "0.0.0.0", "--port", "8005"]


FROM runtime AS load
ENV MPLCONFIGDIR=/tmp
COPY --from=build-load /opt/venv /opt/venv
COPY --from=build-load /srv /srv
CMD ["python", "-m", "loadtests", "run", "--help"]


FROM runtime AS production
ENV GATEWAY_HOST=0.0.0.0 \
    GATEWAY_PORT=8000 \
    WORKER_METRICS_HOST=0.0.0.0 \
    WORKER_METRICS_PORT=9464 \
    WORKER_ALIVE_FILE=/tmp/worker-alive
EXPOSE 8000 9464
COPY --from=build-production /opt/venv /opt/venv
COPY --from=build-production /usr/local/bin/probe /usr/local/bin/probe
COPY --from=build-production /srv/app app
# The gateway; the worker is the same image with `python -m app.worker` and the healthcheck `probe file /tmp/worker-alive 30`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=150s --retries=3 CMD ["probe", "http", "GATEWAY_PORT", "/readyz"]
CMD ["python", "-m", "app.gateway"]
