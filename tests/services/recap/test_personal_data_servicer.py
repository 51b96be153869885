import json
from pathlib import Path

import pytest

from libs.serving.channels import call
from reprise.privacy.v1 import privacy_pb2, privacy_pb2_grpc
from tests.made_suite import fill, served


@pytest.mark.parametrize("profile_id", ["p1", "ไม่มี"])
async def test_nothing_is_held_of_a_profile_that_nobody_knows(
    tmp_path: Path, profile_id: str
) -> None:
    fill(tmp_path, "default", "t")
    async with served(tmp_path) as suite:
        stub = privacy_pb2_grpc.PersonalDataServiceStub(suite.recap)
        request = privacy_pb2.EraseProfileDataRequest(profile_id=profile_id)
        answer = await call("recap", stub.EraseProfileData, request, timeout_s=5)
        again = await call("recap", stub.EraseProfileData, request, timeout_s=5)
        lines = [
            json.loads(part.json_lines)
            async for part in stub.ExportProfileData(
                privacy_pb2.ExportProfileDataRequest(profile_id=profile_id)
            )
        ]
    assert (answer.erased_count, again.erased_count, lines) == (0, 0, [])
