"""Every number that the model judges by, as a literal with its place. Seconds unless it says otherwise.

"Specification" is the user's (sections by their titles). What it leaves open this project decided; those numbers are
promised in docs/exploring.md, "What the model knows".
"""

POLL_EVERY = 2.0
"""Specification, BiRefNet Service: "Poll every 2 seconds"; SAM3 Service: "Same ASYNC JOB pattern"."""

JOB_LIMIT = 120.0
"""Specification, BiRefNet Service: "timeout after 2 minutes", counted from the submit."""

MAX_DIMENSION = 1536
"""Specification, Temporal Workflow, step 2, in pixels."""

SIZE_TOLERANCE = 1
"""Ours: pixels by which a resized side may be off the aspect ratio, as services round."""

RETRY_AFTER_MOST = 60.0
"""Ours: a longer Retry-After is cut."""

DEADLINE = {
    "upload_to_azure": 27.0,
    "resize_image": 27.0,
    "check_zoom": 27.0,
    "remove_background": 127.0,
    "generate_mask": 127.0,
    "refine_mask": 50.0,
    "generate_images": 165.0,
}
"""Ours: by when the services have to have answered an attempt, from its beginning. All are under the specification's
start_to_close, so that a hang ends in the application's own error."""

END_MARGIN = 2.0
"""Ours: an attempt's own end, storing included, is so long before its start_to_close."""

POLL = 25.0
"""Ours: one poll. A submit may take the job's time."""

LAST_POLL = 5.0
"""Ours: the one poll of a job that is resumed after its limit."""

MOST_HOPS = 20
"""docs/reliability.md: so many 303 in a row are followed on the same host."""

FLOAT_NOISE = 1e-6
"""Ours: a share of the metrics may be so far beside 0 to 1."""

JOB_GRACE = 10.0
"""Ours: a job may be unknown for so long after its submit."""

JOB_LOST_AFTER = 3
"""Ours: so many polls in a row that know nothing of a job, after its grace: it is lost."""

THIN = 3
"""Ours: a brush of fewer pixels may show in the pixel beside its line, as services differ in how they round."""

CONNECT = 5.0
"""Ours: until a connection has come about, to services and to the store."""

HEALTH = 3.0
"""Ours: one question after an A100's health."""

HEALTH_AFTER_FAILURE = 9.0
"""Ours: all questions after a call to an A100 has failed."""

STORE_TRY = 8.0
"""Ours: one try to read or store a result."""

STORE_TRIES = 5
STORE_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Ours: results are read and stored as the specification's policy for uploads says, within the attempt."""

STORE_SILENCE = 30.0
"""Ours: silence of the store after which a call to it has failed."""

RESULT_MOST = 16 * 1024 * 1024
"""Ours: bytes of the largest result that is read."""

RESULT_AT_ONCE = 8 * 1024 * 1024
"""Bytes that the store's client reads at once."""

STORE_BREAKS = 2
"""docs/fakes.md, The blob proxy: the store's HTTP library repeats a call once when its connection breaks."""

STORE_READS = 3
"""The store's client reads a download that breaks off on, twice."""

BEAT = 1.5
"""Ours: an attempt tells that often that it goes on, and at once of a job's id."""

BEATS_APART = 1.0
"""Ours: what an attempt tells sooner than that after its last word to Temporal is kept until then."""

SILENCE = 10.0
"""Ours: an attempt that tells nothing for so long is over: its worker has died."""

MOST_BODY = 32 * 2**20
"""docs/api.md, Start a try-on: bytes."""
MOST_STRUCTURE = 20_000
"""docs/api.md, Start a try-on: of the characters `[`, `{` and `,`."""

MOST_POINTS = 64
MOST_STROKES = 64
MOST_STROKE_POINTS = 2000
MOST_SESSION_ID = 128
BRUSH = (1, 500)
"""docs/api.md, Start a try-on: points, strokes, points of all strokes, characters, and pixels of a brush."""
