// Oracle for the YAML writer: reads one tree description per line (JSON), prints what go-yaml makes of it.
//
// A line is {"indent": N, "value": false, "documents": [NODE...]}. A NODE is {"t": TYPE, ...}:
// map {"items": [{"c": base64 comment, "i": inline} | {"k": key, "v": NODE}]}, list (items without keys),
// str {"s": base64}, time {"s": text}, int {"n": text}, float {"n": text}, bool {"b": bool}, null.
// Each answer is one line: base64 of the text.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

type item struct {
	Comment *string `json:"c"`
	Inline  bool    `json:"i"`
	Key     string  `json:"k"`
	Value   *node   `json:"v"`
}

type node struct {
	Type  string `json:"t"`
	Items []item `json:"items"`
	Text  string `json:"s"`
	Num   string `json:"n"`
	Bool  bool   `json:"b"`
}

type request struct {
	Indent    int    `json:"indent"`
	Value     bool   `json:"value"`
	Documents []node `json:"documents"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "yamlemit:", err)
		os.Exit(1)
	}
}

func decode(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	must(err)
	return string(raw)
}

func leaf(n *node) any {
	switch n.Type {
	case "str":
		return decode(n.Text)
	case "time":
		at, err := time.Parse(time.RFC3339Nano, n.Text)
		must(err)
		return at
	case "int":
		value, err := strconv.ParseInt(n.Num, 10, 64)
		must(err)
		return int(value)
	case "float":
		bits, err := strconv.ParseUint(n.Num, 16, 64)
		must(err)
		return math.Float64frombits(bits)
	case "bool":
		return n.Bool
	}
	return nil
}

// scalar is the node that go-yaml makes of its own text of a value. Where it cannot read that text (a literal block
// that starts with a tab), SOPS prints null and loses the value; here such a string is double-quoted instead.
func scalar(value any) *yaml.Node {
	out := &yaml.Node{}
	if err := out.Encode(value); err != nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value.(string)}
	}
	return out
}

func join(lines []string, before string) string {
	if len(lines) == 0 {
		return before
	}
	text := "#" + strings.Join(lines, "\n#")
	if before != "" {
		text += "\n" + before
	}
	return text
}

// build attaches comments as the store of SOPS does: those before the first node to the collection, others to the
// node that follows, the rest to the foot of the last one.
func build(n *node) *yaml.Node {
	var out *yaml.Node
	switch n.Type {
	case "map":
		out = &yaml.Node{Kind: yaml.MappingNode}
	case "list":
		out = &yaml.Node{Kind: yaml.SequenceNode}
	default:
		return scalar(leaf(n))
	}
	var above, beside []string
	for _, entry := range n.Items {
		if entry.Comment != nil {
			if entry.Inline {
				beside = append(beside, decode(*entry.Comment))
			} else {
				above = append(above, decode(*entry.Comment))
			}
			continue
		}
		if len(out.Content) == 0 {
			out.HeadComment = join(above, "")
			above = nil
		}
		value := build(entry.Value)
		value.LineComment = join(beside, "")
		if n.Type == "map" {
			key := scalar(decode(entry.Key))
			key.HeadComment = join(above, "")
			out.Content = append(out.Content, key)
		} else {
			value.HeadComment = join(above, value.HeadComment)
		}
		above, beside = nil, nil
		out.Content = append(out.Content, value)
	}
	rest := append(above, beside...)
	switch {
	case len(out.Content) == 0:
		out.HeadComment = join(rest, "")
	case n.Type == "map":
		out.Content[len(out.Content)-2].FootComment = join(rest, "")
	default:
		out.Content[len(out.Content)-1].FootComment = join(rest, "")
	}
	return out
}

func answer(r *request) []byte {
	if r.Value {
		out, err := yaml.Marshal(build(&r.Documents[0]))
		must(err)
		return out
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(r.Indent)
	for i := range r.Documents {
		must(encoder.Encode(&yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{build(&r.Documents[i])}}))
	}
	encoder.Close()
	return out.Bytes()
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var r request
		must(json.Unmarshal(in.Bytes(), &r))
		fmt.Fprintln(out, base64.StdEncoding.EncodeToString(answer(&r)))
	}
	must(in.Err())
}
