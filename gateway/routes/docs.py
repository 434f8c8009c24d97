"""The description of the API, for machines and for people."""

from chassis.web import Answer, route
from gateway.access import ANYONE
from gateway.schemas.docs import FilePath, Specification


class DocsRoutes:
    """`/api/openapi.json`, and `/api/docs` with its files."""

    @route("GET", "/api/openapi.json", who=ANYONE, answer=Specification)
    def get_specification(self, request):
        """This description, as OpenAPI 3.1."""
        return _unless_known(request, self.manual.specification())

    @route("GET", "/api/docs", who=ANYONE, media_type="text/html")
    def get_docs(self, request):
        """A page to read this description and try it out."""
        return _unless_known(request, self.manual.page())

    @route(
        "GET",
        "/api/docs/{file}",
        who=ANYONE,
        path=FilePath,
        media_type="*/*",
    )
    def get_docs_file(self, request, file):
        """A file of that page."""
        return _unless_known(request, self.manual.file(file))


def _unless_known(request, answer):
    """The answer, or 304 when the client has it."""
    known = request.header("If-None-Match") or ""
    if answer.headers["ETag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Answer(status=304, headers=answer.headers)
    return answer
