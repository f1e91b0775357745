// What Luigi's page shows besides: the status line of each task in the list, and the month of each
// task in graphs. It builds on what Luigi's scripts and libraries offer; what it does not find there
// it leaves as it is.
(function ($) {
    "use strict";

    if (!$) { return; }

    function month(params) {
        var year = params && params.year, number = params && params.month;
        return /^\d{4}$/.test(year) && /^\d{1,2}$/.test(number)
            ? year + "-" + ("0" + number).slice(-2) : "";
    }

    // The list: DataTables tells when it has drawn rows, and shows a line beneath each.
    $(document).on("draw.dt", "#taskTable", function (event, settings) {
        var table = new $.fn.dataTable.Api(settings);
        $(table.rows({page: "current"}).nodes()).each(function () {
            var row = table.row(this), message = (row.data() || {}).statusMessage;
            if (message) {
                row.child($("<div class='status-line text-muted'></div>").text(message)).show();
                row.child().children("td").css({borderTop: 0, paddingTop: 0});
            }
        });
    });

    // The graph as SVG.
    var graph = window.Graph && window.Graph.DependencyGraph && window.Graph.DependencyGraph.prototype;
    if (graph && graph.renderGraph) {
        var renderGraph = graph.renderGraph;
        graph.renderGraph = function () {
            var result = renderGraph.apply(this, arguments), months = {};
            this.graph.nodes.forEach(function (node) { months[node.taskId] = month(node.params); });
            this.svg.find(".graph-node-a").each(function () {
                var label = months[this.getAttribute("data-task-id")];
                var text = this.querySelector("text");
                if (label && text) {
                    text.appendChild(document.createTextNode(" " + label));
                }
            });
            return result;
        };
    }

    // The graph as drawn by D3, which measures its labels before it draws.
    var api = window.LuigiAPI && window.LuigiAPI.prototype;
    ["getDependencyGraph", "getInverseDependencyGraph"].forEach(function (name) {
        var ask = api && api[name];
        if (!ask) { return; }
        api[name] = function (taskId, callback, includeDone) {
            return ask.call(this, taskId, function (tasks) {
                if (/[#&]visType=d3(&|$)/.test(location.hash)) {
                    tasks.forEach(function (task) {
                        var label = month(task.params);
                        task.name += label && " " + label;
                    });
                }
                callback(tasks);
            }, includeDone);
        };
    });
})(window.jQuery);
