"""Through FireWorks: a MongoDB database that holds the jobs, and a queue that runs them."""

from barriers.distribution import install

try:
    from fireworks.utilities import fw_serializers
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"FireWorks is not installed; {install('fireworks')}") from error

# FireWorks looks for a class by name in all of its modules, those of its own tests included, unless it knows where.
fw_serializers.SAVED_FW_MODULES |= {
    "CommonAdapter": "fireworks.user_objects.queue_adapters.common_adapter",
    "PyTask": "fireworks.user_objects.firetasks.script_task",
}
