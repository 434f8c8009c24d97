"""FastAPI services that call each other with httpx.

Follows the documentation of FastAPI (lifespan events, dependencies, response models, security), of
httpx (one `AsyncClient` for the life of the process) and of asyncpg (a pool), on uvicorn with
uvloop and httptools, which `uvicorn[standard]` chooses.
"""
