# Out of real mode, and into the image by the 32-bit way in of the boot protocol.

    .section .setup16, "", @progbits
    .code16

    .set BOOT_CS, 0x10                      # the selectors that the boot protocol prescribes
    .set BOOT_DS, 0x18

# eax = where to go on, in 32-bit code of this section.
enter_protected_mode:
    movl    %eax, protected_target
    cmpl    $0, realmode_swtch
    je      1f
    lcallw  *realmode_swtch                 # the boot loader wants the last word in real mode
    jmp     2f
1:  cli
    movb    $0x80, %al
    outb    %al, $0x70                      # no NMI
    outb    %al, $0x80
2:  xorl    %eax, %eax
    outb    %al, $0xf0                      # reset the coprocessor
    outb    %al, $0x80
    outb    %al, $0xf1
    outb    %al, $0x80
    movb    $0xff, %al
    outb    %al, $0xa1                      # mask the second interrupt controller
    outb    %al, $0x80
    movb    $0xfb, %al
    outb    %al, $0x21                      # and the first but for its cascade
    outb    %al, $0x80

    movw    %ds, %ax
    shll    $4, %eax
    movl    %eax, %ebx                      # the address of this section
    addl    %eax, protected_target
    addl    %eax, setup_gdt_register + 2
    lidtl   setup_idt_register
    lgdtl   setup_gdt_register
    movl    %cr0, %eax
    orb     $1, %al
    movl    %eax, %cr0
    ljmpl   *protected_target

    .code32
start_kernel_image:
    movl    $BOOT_DS, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %fs
    movl    %eax, %gs
    movl    %eax, %ss
    leal    setup_stack_end(%ebx), %esp
    check_image .Limage_cut_short .Limage_complete
    leal    setup_boot_params(%ebx), %esi
    xorl    %edi, %edi
    xorl    %ebx, %ebx
    movl    ${SETUP16_MARK}, %ebp
    jmpl    *CODE32_START(%esi)

.Limage_cut_short:
    leal    image_cut_short(%ebx), %esi
    jmp     .Lsetup_stop

.Lstop_without_a20:
    leal    a20_closed(%ebx), %esi
.Lsetup_stop:
    movl    $BOOT_DS, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    leal    setup_stack_end(%ebx), %esp
    call    setup_open
    call    setup_puts
1:  cli
    hlt
    jmp     1b

    console32 setup

image_cut_short:
    .asciz  "The kernel image is cut short: load all of it.\r\n"
a20_closed:
    .asciz  "The A20 gate does not open, so memory above 1 MiB cannot be reached.\r\n"

    .balign 8
setup_gdt:
    .quad   0
    .quad   0
    .quad   0x00cf9b000000ffff              # 0x10: code
    .quad   0x00cf93000000ffff              # 0x18: data
setup_gdt_end:
    .word   0
setup_gdt_register:
    .word   setup_gdt_end - setup_gdt - 1
    .long   setup_gdt
    .word   0
setup_idt_register:
    .word   0
    .long   0
protected_target:
    .long   0
    .word   BOOT_CS
    .balign 4
setup_signature:
    .long   SETUP_SIGNATURE
setup16_end:

    # Beyond the file, in what the protocol gives to the set-up code up to 0x8000.
    .balign 16
setup_boot_params:
    .set setup_stack_end, setup_boot_params + BOOT_PARAMS_SIZE + SETUP_STACK_SIZE
    .set setup_sector, setup_stack_end
    .set setup_memory_end, setup_sector + SECTOR_SIZE_MAX
