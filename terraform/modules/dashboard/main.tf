# One page over a store of any pattern: appends, conflicts, latency, errors, lag, throttles, what costs money, and the alarms.

locals {
  region    = split(":", var.arns.functions["store_events"])[3]
  functions = { for name, arn in var.arns.functions : name => split(":", arn)[6] }
  tables    = [for arn in values(var.arns.tables) : split("/", arn)[1]]
  queues    = [for arn in values(var.arns.queues) : split(":", arn)[5]]
  clusters  = [for arn in values(var.arns.clusters) : split(":", arn)[6]]

  operations = ["store_events", "get_aggregate_events", "get_all_events"]
  pipeline   = [for name, function in local.functions : function if !contains(local.operations, name)]

  # The store's functions give its name to their own metrics, and theirs begin with it.
  store = trimsuffix(local.functions["store_events"], "-store-events")

  # Each row is a metric as CloudWatch's dashboards write it: namespace, metric, dimensions, and how to show it.
  graphs = [
    { title = "Events stored, appends refused", rows = [for metric in ["EventsStored", "VersionConflicts", "InvalidRequests"] :
      ["EventStore", metric, "operation", "store_events", "service", local.store]
    ] },
    { title = "Latency in ms, median and 99th percentile", rows = concat([for stat in ["p50", "p99"] : [for operation in local.operations :
      ["AWS/Lambda", "Duration", "FunctionName", local.functions[operation], { stat = stat, label = "${operation} ${stat}" }]
    ]]...) },
    { title = "Errors and throttles of functions", rows = concat([for metric in ["Errors", "Throttles"] : [for function in values(local.functions) :
      ["AWS/Lambda", metric, "FunctionName", function, { label = "${function} ${metric}" }]
    ]]...) },
    { title = "Lag: queues and readers in s, streams in ms (right)", rows = concat(
      [for queue in local.queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, { stat = "Maximum", label = queue }]],
      [for _ in local.clusters : ["EventStore", "UnsettledSeconds", "service", local.store, { stat = "Maximum" }]],
      [for function in local.pipeline : ["AWS/Lambda", "IteratorAge", "FunctionName", function, { stat = "Maximum", yAxis = "right", label = function }]],
    ) },
    { title = "Throttles of tables and indexes", rows = local.by_table["ThrottleEvents"] },
    { title = "Cost: capacity units of tables and indexes", rows = local.by_table["CapacityUnits"] },
    { title = "Cost: time of functions in ms", rows = [for function in values(local.functions) :
      ["AWS/Lambda", "Duration", "FunctionName", function, { label = function }]
    ] },
    { title = "Cost: capacity of the database in ACU", rows = [for cluster in local.clusters :
      ["AWS/RDS", "ServerlessDatabaseCapacity", "DBClusterIdentifier", cluster, { stat = "Average" }]
    ] },
  ]

  # A search finds a table's indexes as well as the table.
  by_table = { for what, metrics in {
    ThrottleEvents = ["WriteThrottleEvents", "ReadThrottleEvents"]
    CapacityUnits  = ["ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"]
    } : what => concat([for metric in metrics : [for table in local.tables :
      [{ expression = "SEARCH('Namespace=\"AWS/DynamoDB\" MetricName=\"${metric}\" TableName=\"${table}\"', 'Sum', 60)" }]
  ]]...) }

  widgets = concat(
    [for graph in local.graphs : {
      type       = "metric"
      properties = { title = graph.title, region = local.region, view = "timeSeries", stat = "Sum", period = 60, metrics = graph.rows }
    } if length(graph.rows) > 0],
    [{ type = "alarm", properties = { title = "Alarms", alarms = sort(values(var.arns.alarms)) } }],
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = coalesce(var.name, local.store)

  dashboard_body = jsonencode({ widgets = [for index, widget in local.widgets :
    merge(widget, { x = 8 * (index % 3), y = 6 * floor(index / 3), width = 8, height = 6 })
  ] })
}
