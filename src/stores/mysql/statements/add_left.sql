SELECT @left
