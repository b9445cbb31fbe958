"""What is measured on stores: calls, units and bytes; behaviour under faults; times."""
