"""What the server says of its actions, as figures."""

from loadtests.bench.actions import counted

SAID = """\
# TYPE action counter
action{action_type="command_ScheduleActivityTask",namespace="default",operation="RespondWorkflowTaskCompleted",service_name="frontend"} 7
action{action_type="grpc_RecordActivityTaskHeartbeat",namespace="default",operation="RecordActivityTaskHeartbeat",service_name="frontend"} 6
action{action_type="grpc_StartWorkflowExecution",namespace="default",operation="StartWorkflowExecution",service_name="frontend"} 1
action{action_type="grpc_StartWorkflowExecution",namespace="temporal_system",operation="StartWorkflowExecution",service_name="frontend"} 2
action{action_type="grpc_SignalWorkflowExecution",namespace="default",operation="SignalWorkflowExecution",service_name="frontend"} 3
action_errors{action_type="none",namespace="default"} 9
"""  # noqa: E501 - as the server writes it


def test_actions_are_those_of_the_namespace_and_none_is_left_out_for_its_name() -> None:
    assert counted(SAID) == {"activities": 7, "heartbeats": 6, "starts": 1, "grpc_SignalWorkflowExecution": 3}
