{{- define "plomb.labels" -}}
app.kubernetes.io/name: plomb-controller
app.kubernetes.io/part-of: plomb
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "plomb.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* Verbs on Secrets: the one difference between the two profiles. */ -}}
{{- define "plomb.secretVerbs" -}}
{{- if eq .Values.profile "watch" -}}
[get, list, watch, create, patch, delete]
{{- else -}}
[get, create, patch, delete]
{{- end -}}
{{- end }}

{{- define "plomb.subject" -}}
- kind: ServiceAccount
  name: plomb-controller
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* What the controller may do in a namespace that it watches. */ -}}
{{- define "plomb.watchedRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: {{ include "plomb.secretVerbs" . }}
- apiGroups: [plomb.dev]
  resources: [encryptedsecrets, rewraprequests]
  verbs: [get, list, watch]
- apiGroups: [plomb.dev]
  resources: [encryptedsecrets/status, rewraprequests/status]
  verbs: [get, patch, update]
- apiGroups: [plomb.dev]
  resources: [rewraprequests]
  verbs: [delete]
- apiGroups: [plomb.dev]
  resources: [encryptedsecrets/finalizers]
  verbs: [update]
{{- if not .Values.watchNamespaces }}
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
- apiGroups: [plomb.dev]
  resources: [clusterrecipients]
  verbs: [get, list, watch, create, patch, update]
- apiGroups: [plomb.dev]
  resources: [clusterrecipients/status]
  verbs: [get, patch, update]
{{- end }}
- apiGroups: [bitnami.com]
  resources: [sealedsecrets]
  verbs: [get, list, watch]
- apiGroups: [bitnami.com]
  resources: [sealedsecrets/status]
  verbs: [get, patch, update]
- apiGroups: [isindir.github.com]
  resources: [sopssecrets]
  verbs: [get, list, watch]
- apiGroups: [isindir.github.com]
  resources: [sopssecrets/status]
  verbs: [get, patch, update]
- apiGroups: [bitnami.com]
  resources: [sealedsecrets/finalizers]
  verbs: [update]
- apiGroups: [isindir.github.com]
  resources: [sopssecrets/finalizers]
  verbs: [update]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
