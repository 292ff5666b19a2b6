// The pages, by the first part of their path, in the order of the navigation. Each is loaded when it is first opened.
import ChartLine from '@lucide/svelte/icons/chart-line'
import CalendarDays from '@lucide/svelte/icons/calendar-days'
import CalendarClock from '@lucide/svelte/icons/history'
import FileText from '@lucide/svelte/icons/scroll-text'
import Gauge from '@lucide/svelte/icons/gauge'
import Layers from '@lucide/svelte/icons/layers'
import Link from '@lucide/svelte/icons/link'
import MousePointerClick from '@lucide/svelte/icons/mouse-pointer-click'
import Timer from '@lucide/svelte/icons/timer'
import Route from '@lucide/svelte/icons/route'
import Sliders from '@lucide/svelte/icons/sliders-horizontal'
import type { Component } from 'svelte'
import type { PageProps } from '../ui'
import { words } from '../text'

export type Page = {
  /** First part of the path; empty for the dashboard. */
  path: string
  /** Other first parts that lead here: dialogs of the dashboard, and former paths. */
  aliases?: string[]
  name: string
  icon: typeof Gauge
  load: () => Promise<{ default: Component<PageProps> }>
}

const w = words.pages

export const pages: Page[] = [
  { path: '', aliases: ['start'], name: w.dashboard, icon: Gauge, load: () => import('../dashboard/Page.svelte') },
  { path: 'configuration', name: w.configuration, icon: Sliders, load: () => import('../configuration/Page.svelte') },
  { path: 'presets', name: w.presets, icon: Layers, load: () => import('../presets/Page.svelte') },
  { path: 'urls', name: w.urls, icon: Link, load: () => import('../urls/Page.svelte') },
  { path: 'events', name: w.events, icon: MousePointerClick, load: () => import('../events/Page.svelte') },
  { path: 'funnels', name: w.funnels, icon: Route, load: () => import('../funnels/Page.svelte') },
  { path: 'backfill', name: w.backfill, icon: CalendarDays, load: () => import('../backfill/Page.svelte') },
  { path: 'capacity', name: w.capacity, icon: ChartLine, load: () => import('../capacity/Page.svelte') },
  { path: 'runs', name: w.runs, icon: CalendarClock, load: () => import('../runs/Page.svelte') },
  {
    path: 'benchmarks',
    aliases: ['reports'],
    name: w.benchmark,
    icon: Timer,
    load: () => import('../benchmark/Page.svelte'),
  },
  { path: 'logs', name: w.logs, icon: FileText, load: () => import('../logs/Page.svelte') },
]

/** The page of a path, by its first part. */
export const pageOf = (first = '') => pages.find((p) => p.path === first || p.aliases?.includes(first))
