// Command yaml prints what SOPS 3.13.3 makes of YAML files, for comparison with our reader.
//
// It decodes with the library that SOPS uses and turns the nodes into items by the rules of SOPS' YAML store.
// Standard input: for each file its length as a decimal line, then its bytes. Standard output: one line each.
//
//	ok {…} {…}    the documents
//	no TEXT       SOPS refuses the file
//	lossy TEXT    SOPS takes it but loses or cannot carry something; our reader is to refuse it
//
// A map is {items}, a list [items]. Items: #HEX; comment, %HEX; inline comment, HEX=value entry, -value element.
// Values: n; t; f; iDIGITS; dBITS; sHEX; TTIME; or a collection.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxDepth is our reader's limit on nested collections.
const maxDepth = 512

type lossy string

func (l lossy) Error() string { return string(l) }

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for {
		header, err := in.ReadString('\n')
		if err != nil {
			return
		}
		size, err := strconv.Atoi(strings.TrimSpace(header))
		if err != nil {
			panic(err)
		}
		file := make([]byte, size)
		if _, err := io.ReadFull(in, file); err != nil {
			panic(err)
		}
		fmt.Fprintln(out, answer(file))
		out.Flush()
	}
}

func answer(file []byte) (line string) {
	defer func() {
		if trouble := recover(); trouble != nil {
			line = "no panic: " + strconv.QuoteToASCII(fmt.Sprint(trouble))
		}
	}()
	documents, err := load(file)
	var loss lossy
	switch {
	case errors.As(err, &loss):
		return "lossy " + strconv.QuoteToASCII(err.Error())
	case err != nil:
		return "no " + strconv.QuoteToASCII(err.Error())
	}
	return "ok " + strings.Join(documents, " ")
}

func load(file []byte) ([]string, error) {
	if len(file) == 0 {
		return nil, errors.New("empty")
	}
	if err := yaml.NewDecoder(bytes.NewReader(file)).Decode(make(map[string]interface{})); err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	var documents []string
	var loss error
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if err == io.EOF {
			return documents, loss
		}
		if err != nil {
			return nil, err
		}
		printer := &printer{}
		if err := printer.document(&node); err != nil {
			var l lossy
			if !errors.As(err, &l) {
				return nil, err
			}
			loss = err
		}
		documents = append(documents, printer.text.String())
	}
}

type printer struct {
	text  strings.Builder
	loss  error
	depth int
}

func (p *printer) document(node *yaml.Node) error {
	p.text.WriteString("{")
	p.comments(node.HeadComment, "#")
	p.comments(node.LineComment, "#")
	if err := p.root(node.Content[0]); err != nil {
		return err
	}
	p.comments(node.FootComment, "#")
	p.text.WriteString("}")
	return p.loss
}

func (p *printer) root(node *yaml.Node) error {
	p.comments(node.HeadComment, "#")
	p.comments(node.LineComment, "#")
	switch node.Kind {
	case yaml.MappingNode:
		if err := p.entries(node); err != nil {
			return err
		}
	case yaml.ScalarNode:
		if node.ShortTag() != "!!null" {
			return errors.New("document is a value")
		}
		var value interface{}
		if err := node.Decode(&value); err != nil {
			p.lose("tag: " + err.Error())
		}
		return nil
	case yaml.SequenceNode:
		return errors.New("document is a list")
	case yaml.AliasNode:
		if err := p.root(node.Alias); err != nil {
			return err
		}
	}
	p.comments(node.FootComment, "#")
	return nil
}

func (p *printer) value(node *yaml.Node, handled bool) error {
	switch node.Kind {
	case yaml.AliasNode:
		return p.value(node.Alias, false)
	case yaml.ScalarNode:
		var value interface{}
		if err := node.Decode(&value); err != nil {
			p.lose("tag: " + err.Error())
		}
		p.scalar(value)
		return nil
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth >= maxDepth {
		p.lose("depth")
		return p.loss
	}
	opening, closing := "{", "}"
	if node.Kind == yaml.SequenceNode {
		opening, closing = "[", "]"
	}
	p.text.WriteString(opening)
	if !handled {
		p.comments(node.HeadComment, "#")
		p.comments(node.LineComment, "#")
	}
	each := p.entries
	if node.Kind == yaml.SequenceNode {
		each = p.elements
	}
	if err := each(node); err != nil {
		return err
	}
	if !handled {
		p.comments(node.FootComment, "#")
	}
	p.text.WriteString(closing)
	return nil
}

func (p *printer) elements(node *yaml.Node) error {
	for _, item := range node.Content {
		p.comments(item.HeadComment, "#")
		p.comments(item.LineComment, "%")
		p.text.WriteString("-")
		if err := p.value(item, true); err != nil {
			return err
		}
		p.comments(item.FootComment, "#")
	}
	return nil
}

func (p *printer) entries(node *yaml.Node) error {
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		p.comments(key.HeadComment, "#")
		p.comments(key.LineComment, "#")
		handled := value.Kind == yaml.ScalarNode || value.Kind == yaml.AliasNode
		if handled {
			p.comments(value.HeadComment, "#")
			p.comments(value.LineComment, "%")
		}
		name := p.key(key)
		if seen[name] {
			p.lose("key twice")
		}
		seen[name] = true
		if key.Kind == yaml.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge" && !mergeable(value) {
			p.lose("merge of no map")
		}
		p.text.WriteString(hex.EncodeToString([]byte(name)) + "=")
		if err := p.value(value, handled); err != nil {
			return err
		}
		if handled {
			p.comments(value.FootComment, "#")
		}
		p.comments(key.FootComment, "#")
	}
	return nil
}

func mergeable(node *yaml.Node) bool {
	if node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			if item.Kind == yaml.SequenceNode || !mergeable(item) {
				return false
			}
		}
		return true
	}
	return node.Kind == yaml.MappingNode || node.Kind == yaml.AliasNode && node.Alias.Kind == yaml.MappingNode
}

func (p *printer) key(node *yaml.Node) string {
	if node.Kind != yaml.ScalarNode && !(node.Kind == yaml.AliasNode && node.Alias.Kind == yaml.ScalarNode) {
		p.lose("key of kind collection")
		return ""
	}
	var value interface{}
	if err := node.Decode(&value); err != nil {
		p.lose("tag: " + err.Error())
	}
	name, isString := value.(string)
	if !isString {
		p.lose(fmt.Sprintf("key of type %T", value))
	}
	return name
}

func (p *printer) lose(what string) {
	if p.loss == nil {
		p.loss = lossy(what)
	}
}

func (p *printer) comments(block string, sign string) {
	for _, line := range strings.Split(block, "\n") {
		if line != "" {
			p.text.WriteString(sign + hex.EncodeToString([]byte(line[1:])) + ";")
		}
	}
}

func (p *printer) scalar(value interface{}) {
	switch value := value.(type) {
	case nil:
		p.text.WriteString("n;")
	case bool:
		p.text.WriteString(map[bool]string{true: "t;", false: "f;"}[value])
	case int:
		fmt.Fprintf(&p.text, "i%d;", value)
	case int64:
		fmt.Fprintf(&p.text, "i%d;", value)
	case uint64:
		p.float(float64(value))
	case float64:
		p.float(value)
	case string:
		p.text.WriteString("s" + hex.EncodeToString([]byte(value)) + ";")
	case time.Time:
		p.text.WriteString("T" + value.Format(time.RFC3339Nano) + ";")
	default:
		panic(fmt.Sprintf("value of type %T", value))
	}
}

func (p *printer) float(value float64) {
	if math.IsNaN(value) {
		p.text.WriteString("dnan;")
		return
	}
	fmt.Fprintf(&p.text, "d%016x;", math.Float64bits(value))
}
