// What a dashboard of ours may hold: Grafana's own types, narrowed to the kinds of panel we use. A key that Grafana does
// not know is an error, and so is a value it does not take. What Grafana fills in itself may be left out.
import type { Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel, DataTransformerConfig, AnnotationQuery } from '@grafana/schema';
import type * as Gauge from 'panel/gauge';
import type * as Heatmap from 'panel/heatmap';
import type * as PieChart from 'panel/piechart';
import type * as Stat from 'panel/stat';
import type * as Table from 'panel/table';
import type * as TimeSeries from 'panel/timeseries';

/** T with every key optional, at every depth: Grafana completes options from the panel's defaults. */
type Partly<T> = T extends (infer Item)[] ? Partly<Item>[] : T extends object ? { [Key in keyof T]?: Partly<T[Key]> } : T;

/** A query as Grafana's Prometheus data source reads it. */
interface Query {
  datasource: { type: 'prometheus'; uid: '${datasource}' };
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  instant: boolean;
  range: boolean;
  legendFormat: string;
  refId: string;
}

type Fields<Custom> = Omit<FieldConfigSource, 'defaults'> & {
  defaults: Omit<FieldConfig, 'custom'> & { custom?: Partly<Custom> };
};

type Of<Kind extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'transformations'> & {
  type: Kind;
  options: Partly<Options>;
  fieldConfig: Fields<Custom>;
  targets: Query[];
  transformations?: DataTransformerConfig[];
};

type Asking =
  | Of<'gauge', Gauge.Options, {}>
  | Of<'heatmap', Heatmap.Options, Heatmap.FieldConfig>
  | Of<'piechart', PieChart.Options, PieChart.FieldConfig>
  | Of<'stat', Stat.Options, {}>
  | Of<'table', Table.Options, Table.FieldConfig>
  | Of<'timeseries', TimeSeries.Options, TimeSeries.FieldConfig>;

type Row = Omit<RowPanel, 'panels'> & { panels: Asking[] };

/** What the Prometheus data source reads of an annotation, beside what every data source does. */
type Event = AnnotationQuery & { expr: string; titleFormat: string; textFormat: string; step: string; useValueForTime?: boolean };

export type Shipped = Omit<Dashboard, 'panels' | 'annotations'> & {
  panels: (Asking | Row)[];
  annotations: { list: Event[] };
};
